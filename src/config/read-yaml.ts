/** A file of YAML (or JSON, which YAML contains) as plain values; the configuration's, too. */
import { existsSync, readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { BulkheadError, errorText } from '../core/errors.ts';

export function readYaml(path: string): unknown {
  if (!existsSync(path))
    throw new BulkheadError('INPUT_MISSING', `There is no file ${path}.`, { hint: 'Correct the path.' });
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BulkheadError('CONFIG_INVALID', `${path} cannot be read: ${errorText(error)}`, {
      hint: 'Make the file readable for the user who runs Bulkhead.',
    });
  }
  return yamlValue(content, path, 'Correct the line named.');
}

/** YAML 1.2, which contains JSON. Aliases may be unknown, or expand without end: that shows only when they are resolved. */
export function yamlValue(content: string, path: string, hint: string): unknown {
  try {
    const document = parseDocument(content, { prettyErrors: true });
    const [first] = document.errors;
    if (first) throw first;
    return document.toJS() as unknown;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new BulkheadError('CONFIG_INVALID', `${path} is not valid YAML: ${what}`, { hint });
  }
}
