import { createTwoFilesPatch } from 'diff';

/** After that two texts are too different to be shown line by line. */
const MOST_EDITS = 5000;
const LONGEST_MS = 2000;

/** The unified difference of two texts, computed between turns of the loop; undefined where they are too different. */
export function textDiff(before: NamedText, after: NamedText): Promise<string | undefined> {
  return new Promise((resolve) => {
    createTwoFilesPatch(before.name, after.name, before.text, after.text, undefined, undefined, {
      context: 3,
      maxEditLength: MOST_EDITS,
      timeout: LONGEST_MS,
      callback: (patch: string | undefined) => resolve(patch),
    });
  });
}

/** A text and what it is called. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}
