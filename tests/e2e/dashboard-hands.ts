/** What a person does on the page: presses, answers, and reads what the runtime said to it. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

export interface Hands {
  /** What the runtime answers to this very click, once the page says it, too: an earlier click's answer may come late. */
  said(click: () => Promise<unknown>): Promise<string>;
  press(name: string | RegExp): Promise<string>;
  /** Presses, and says yes. */
  agree(name: string | RegExp): Promise<string>;
  /** To what is asked; the dialog is gone then, and what lies under it takes keys again. */
  answer(name: 'Yes, do it' | 'No'): Promise<string>;
}

export function handsOf(page: Page): Hands {
  const button = (name: string | RegExp) => page.getByRole('button', { name }).first();
  const said = async (click: () => Promise<unknown>): Promise<string> => {
    const [request] = await Promise.all([page.waitForRequest(/\/api\/commands$/), click()]);
    const response = await request.response();
    assert.ok(response, 'an answer came');
    const { data } = (await response.json()) as { data: { text: string } };
    await page.locator('.toast').filter({ hasText: data.text }).last().waitFor();
    return data.text;
  };
  const answer = async (name: 'Yes, do it' | 'No'): Promise<string> => {
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Are you sure?').waitFor();
    const click = () => dialog.getByRole('button', { name }).click();
    const text = name === 'No' ? await click().then(() => '') : await said(click);
    await dialog.waitFor({ state: 'hidden' });
    return text;
  };
  return {
    said,
    answer,
    press: (name) => said(() => button(name).click()),
    agree: async (name) => {
      await button(name).click();
      return answer('Yes, do it');
    },
  };
}
