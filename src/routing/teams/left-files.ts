import type { ConfigFault } from '../../config/config-fault.ts';

/** Which text is read of a file whose own is not, and why. */
export interface Left {
  readonly reads: 'last-good' | 'nothing';
  readonly faults: readonly ConfigFault[];
}

/** Files of which another text is read than what is written there, by name. */
export type LeftFiles = ReadonlyMap<string, Left>;

/** A file that is included. */
export interface IncludedFile {
  readonly name: string;
  /** As faults name it. */
  readonly file: string;
  /** Whether the configuration says that it may be left out. */
  readonly mayLeave: boolean;
  readonly written: string;
  /** What it said when it was last without faults; undefined where that is not known. */
  readonly good: string | undefined;
}

/**
 * Decides what is left out for some faults, each file first for what it said when it was last without any, then altogether.
 * A file that says what it did then is not to blame where a fault names another one that has changed: nobody takes a route away
 * from a team by claiming it as well. Where nobody was there before, whoever is named in a fault is left out.
 *
 * @returns undefined where a fault is in a file that may not be left out, or nothing is left to leave out.
 */
export function leaveOut(
  files: readonly IncludedFile[],
  left: LeftFiles,
  faults: readonly ConfigFault[],
): LeftFiles | undefined {
  const byFile = Map.groupBy(faults, ({ file }) => file);
  const mayLeave = files.filter((one) => one.mayLeave && left.get(one.name)?.reads !== 'nothing');
  const faulty = mayLeave.filter(({ file }) => byFile.has(file));
  // Fails closed: what is wrong elsewhere is not mended by leaving out what is not.
  if (faulty.length < byFile.size) return undefined;
  const hasChanged = ({ name, written, good }: IncludedFile): boolean => !left.has(name) && written !== good;
  const toBlame = faulty.filter(hasChanged);
  const isNamed = ({ file }: IncludedFile): boolean =>
    faults.some(({ message }) => message.includes(`${file}:`));
  const suspects = mayLeave.filter((one) => hasChanged(one) && isNamed(one));
  const leaving = toBlame.length > 0 ? toBlame : suspects.length > 0 ? suspects : faulty;
  const next = new Map(left);
  for (const one of leaving) {
    const reads = hasChanged(one) && one.good !== undefined ? 'last-good' : 'nothing';
    const why = left.get(one.name)?.faults ?? byFile.get(one.file) ?? faults;
    next.set(one.name, { reads, faults: why });
  }
  return next;
}
