import { describe, expect, it } from '@jest/globals';
import { Recording, type Recorder } from './recording.ts';

function recorded(headers: string[], body: string): string {
  let end = '';
  const recorder: Recorder = {
    began: () => 'keep',
    told: () => '',
    completed: (answer) => void (end = `kept ${answer.body.toString()}`),
    gaveUp: () => void (end = 'given up'),
    outlives: () => false,
  };
  const recording = new Recording(100, recorder);
  recording.start(200, headers);
  recording.data(Buffer.from(body));
  recording.end();
  return end;
}

describe('an answer that is recorded', () => {
  it.each([
    ['as long as it says', ['Content-Length', '4'], 'kept body'],
    ['of no length that it says', [], 'kept body'],
    ['shorter than it says', ['content-length', '5'], 'given up'],
    ['longer than it says', ['content-length', '3'], 'given up'],
  ])('%s (%j) is %s', (_what, headers, end) => {
    expect(recorded(headers, 'body')).toBe(end);
  });
});
