/** Who may ask what over HTTP: foreign pages, rebound names, tokens, addresses, rates. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Asked, Guard, type GuardRules, type Need } from '../../src/http/guard.ts';
import { Pace } from '../../src/http/pace.ts';

const TOKEN = 'a-token-that-nobody-can-guess';
const here: Asked = {
  remote: '127.0.0.1',
  host: '127.0.0.1:8787',
  origin: undefined,
  fetchSite: undefined,
  isForwarded: false,
  authorization: undefined,
  contentType: undefined,
};
const bearer = `Bearer ${TOKEN}`;
const control: Partial<Asked> = { authorization: bearer, contentType: 'application/json' };

const judge = (asked: Partial<Asked>, need: Need, rules: Partial<GuardRules> = {}) =>
  new Guard({ token: TOKEN, allowedHosts: [], allowedIps: [], ...rules }).refuses({ ...here, ...asked }, need)
    ?.code;

describe('from this machine', () => {
  test('reading is free under its own names, over IPv6 too', () => {
    for (const host of ['127.0.0.1:8787', 'localhost', '[::1]:8787'])
      for (const remote of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
        assert.equal(judge({ host, remote }, 'read'), undefined, `${host} ${remote}`);
  });

  test('every control needs the token, and a body that no form can send', () => {
    assert.equal(judge({ contentType: 'application/json' }, 'control'), 'TOKEN');
    assert.equal(judge({ ...control, authorization: 'Bearer other' }, 'control'), 'TOKEN');
    assert.equal(judge({ ...control, authorization: `Basic ${TOKEN}` }, 'control'), 'TOKEN');
    for (const contentType of [
      undefined,
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ])
      assert.equal(judge({ ...control, contentType }, 'control'), 'CONTENT_TYPE', contentType);
    assert.equal(judge(control, 'control'), undefined);
    assert.equal(judge({ ...control, origin: 'http://127.0.0.1:8787' }, 'control'), undefined);
  });

  test('a foreign page reaches nothing, even with the token', () => {
    for (const origin of [
      'http://evil.example',
      'https://127.0.0.1.evil.example',
      'null',
      'http://127.0.0.1:9999',
      'file://',
    ])
      for (const need of ['read', 'control'] as const)
        assert.equal(judge({ ...control, origin }, need), 'ORIGIN', `${origin} ${need}`);
    assert.equal(judge({ ...control, fetchSite: 'cross-site' }, 'control'), 'ORIGIN');
    assert.equal(judge({ fetchSite: 'cross-site' }, 'read'), 'ORIGIN');
    assert.equal(judge({ fetchSite: 'cross-site' }, 'public'), undefined, 'a link to the page itself works');
  });

  test('a name that was rebound to this machine is none of ours', () => {
    for (const host of [
      'evil.example',
      'evil.example:8787',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '',
      undefined,
      'a b',
    ])
      for (const need of ['public', 'read', 'control'] as const)
        assert.equal(judge({ ...control, host, origin: `http://${host}` }, need), 'HOST', `${host} ${need}`);
  });
});

describe('from elsewhere', () => {
  const away: Partial<Asked> = { remote: '10.1.2.3', host: 'bot.example.org' };
  const rules = { allowedHosts: ['bot.example.org'] };

  test('everything but the page’s own files needs the token', () => {
    assert.equal(judge(away, 'read', rules), 'TOKEN');
    assert.equal(judge(away, 'public', rules), undefined);
    assert.equal(judge({ ...away, authorization: bearer }, 'read', rules), undefined);
  });

  test('a proxy on this machine speaks for others', () => {
    const proxied = { ...away, remote: '127.0.0.1' };
    assert.equal(judge(proxied, 'read', rules), 'TOKEN');
    assert.equal(judge({ isForwarded: true }, 'read'), 'TOKEN', 'also when it keeps our own name');
  });

  test('of the allowed addresses alone, where some are named', () => {
    const allowedIps = ['10.0.0.0/8', '2001:db8::/32'];
    const from = (remote: string) =>
      judge({ ...away, remote, authorization: bearer }, 'read', { ...rules, allowedIps });
    assert.equal(from('10.9.9.9'), undefined);
    assert.equal(from('::ffff:10.9.9.9'), undefined);
    assert.equal(from('2001:db8::5'), undefined);
    assert.equal(from('11.0.0.1'), 'ADDRESS');
    assert.equal(from('127.0.0.1'), 'ADDRESS');
  });
});

test('who asks too often waits, and nobody else does; the memory of addresses is bounded', () => {
  let now = 0;
  const pace = new Pace(60, () => now);
  for (let i = 0; i < 60; i++) assert.ok(pace.takes('a'));
  assert.ok(!pace.takes('a'));
  assert.ok(pace.takes('b'));
  now = 1_000;
  assert.ok(pace.takes('a'));
  assert.ok(pace.isSpent('a'));
  for (let i = 0; i < 20_000; i++) pace.takes(`x${i}`);
  assert.ok(pace.takes('a'), 'forgotten, as the longest silent');
});
