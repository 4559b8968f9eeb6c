import { catalogue, type CatalogueEntry } from '../../problems/catalogue.ts';
import { problemCodeSchema } from '../problem-answers.ts';

/** The problems that clients may see, for documents and programs of theirs. */
export function problemList(): readonly object[] {
  const entries: Readonly<Record<string, CatalogueEntry>> = catalogue;
  return (problemCodeSchema.enum as readonly string[]).toSorted().flatMap((code) => {
    const entry = entries[code];
    if (entry === undefined) return [];
    const { status, title, retryable, cause, remedy } = entry;
    return [{ code, type: `urn:gatehouse:problem:${code}`, status, title, retryable, cause, remedy }];
  });
}
