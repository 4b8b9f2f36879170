/** Server-sent events out of text that comes in pieces. Pure. */

export interface Frame {
  readonly id: string | null;
  readonly type: string;
  readonly data: string;
}

/** Takes bytes as they come, gives whole events: lines may be cut anywhere. */
export class FrameReader {
  #rest = '';

  push(text: string): Frame[] {
    const parts = `${this.#rest}${text}`.replaceAll('\r\n', '\n').split('\n\n');
    this.#rest = parts.pop() ?? '';
    return parts.flatMap((part) => {
      const frame = frameOf(part);
      return frame ? [frame] : [];
    });
  }
}

function frameOf(part: string): Frame | undefined {
  let id: string | null = null;
  let type = 'message';
  const data: string[] = [];
  for (const line of part.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, '');
    const field = line.slice(0, colon);
    if (field === 'id') id = value;
    else if (field === 'event') type = value;
    else if (field === 'data') data.push(value);
  }
  return data.length === 0 ? undefined : { id, type, data: data.join('\n') };
}
