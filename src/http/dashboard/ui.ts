/** What the page is written with: preact through tagged templates, so that no build step is needed. */
import htm from 'htm';
import { type ComponentChildren, h, type VNode } from 'preact';

export { type ComponentChildren, Fragment, render, type VNode } from 'preact';
export { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';

/** htm's own types are those of its CommonJS build. */
interface Template {
  bind(make: typeof h): (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
}

/** A template is one element wherever it is used here. */
export const html = (htm as unknown as Template).bind(h);

export type Children = ComponentChildren;
