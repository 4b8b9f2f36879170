/** A file of YAML (or JSON, which YAML contains) as plain values, for documents other than the configuration. */
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
  const document = parseDocument(content, { prettyErrors: true });
  const [first] = document.errors;
  if (!first) return document.toJS() as unknown;
  throw new BulkheadError('CONFIG_INVALID', `${path} is not valid YAML: ${first.message}`, {
    hint: 'Correct the line named.',
  });
}
