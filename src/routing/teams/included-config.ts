import { dirname, join } from 'node:path';
import type { z } from 'zod';
import {
  bundleText,
  writtenDigest,
  type ConfigBundle,
  type IncludedPart,
} from '../../config/config-bundle.ts';
import type { ConfigFault } from '../../config/config-fault.ts';
import { renderPath } from '../../config/config-path.ts';
import { FormError, readConfig, type ReadConfig } from '../../config/config-reader.ts';
import type { Variables } from '../../config/interpolation.ts';
import type { Cuts } from '../../config/remains.ts';
import { nearestName } from '../../config/nearest-name.ts';
import type { GatewayConfig } from '../gateway.schema.ts';
import type { Steps } from '../steps.ts';
import type { GatewaySource } from '../table-builder.ts';
import { UnsureParts } from '../unsure.ts';
import { composedOf } from './composition.ts';
import { rightsFor, type IncludeEntry } from './include.schema.ts';
import { leaveOut, type IncludedFile, type Left, type LeftFiles } from './left-files.ts';
import { parseTeam, teamOf, type ParsedTeam } from './parsed-team.ts';
import type { TeamFile } from './team-file.schema.ts';
import type { Granted, LeftOut } from './teams.ts';

/** What configurations are read as. */
export interface ConfigForm {
  readonly gateway: z.ZodType<GatewayConfig>;
  /** Made for the first file of a team. */
  readonly team: () => z.ZodType<TeamFile>;
}

/** How a configuration is read. */
export interface GatewayReading {
  /** What `${NAME}` stands for. Default: the environment of the process. */
  readonly variables?: Variables | undefined;
  /**
   * Whether files of teams may be left out of it, where the configuration says so. Default no: their faults are told.
   */
  readonly leavesOut?: boolean;
  /** What files said when they were last without faults, by name. Default: what the text says of it. */
  readonly good?: ReadonlyMap<string, string> | undefined;
}

/** A configuration with files that it includes, as texts. */
export interface GivenConfig {
  readonly bundle: ConfigBundle;
  readonly text: string;
  readonly file: string;
  readonly reading: GatewayReading;
}

interface Parsed {
  readonly part: IncludedPart;
  readonly parsed: ParsedTeam;
}

const NO_CUTS: Cuts = { paths: [], routeIds: [] };

/**
 * The gateway's own file. What files of teams say wrong is told together with what is wrong with that.
 *
 * @throws {FormError} with all of it.
 */
export function mainOf(form: ConfigForm, given: GivenConfig): ReadConfig<GatewayConfig> {
  const { bundle, file, reading } = given;
  try {
    return readConfig(form.gateway, bundle.main, file, reading.variables);
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    const { left, found = [] } = error.rest() ?? {};
    const main = left as ReadConfig<GatewayConfig> | undefined;
    // Which files are whose, and what they may, is not known then.
    if (main === undefined || main.cuts?.paths.some(([section]) => section === 'include') === true)
      throw error;
    const reads = { ...given, reading: { ...reading, leavesOut: false } };
    return new IncludedConfig(form, reads, main).refuse([...error.faults, ...found]);
  }
}

/** One configuration that includes files, with what is left out of it or not. */
export class IncludedConfig {
  readonly #form: ConfigForm;
  readonly #given: GivenConfig;
  readonly #main: ReadConfig<GatewayConfig>;
  /** What is wrong with what the gateway's file says of those that it includes; none of them is to blame. */
  readonly #own: readonly ConfigFault[];
  readonly #parsed = new Map<string, ParsedTeam>();
  #granted: readonly Granted[] | undefined = undefined;

  /** @param main the gateway's own file; default it is read. @throws {ConfigError} with what is wrong with that file. */
  constructor(form: ConfigForm, given: GivenConfig, main = mainOf(form, given)) {
    this.#form = form;
    this.#given = given;
    this.#main = main;
    const { bundle, file } = given;
    const faults = bundle.faults.map(({ entry, message }): ConfigFault => {
      const place = main.document.locate(['include', entry]);
      return { file, ...place, key: `include[${entry}]`, message };
    });
    this.#own = [...faults, ...unknownShared(main)];
  }

  /** {@link read} in steps, a file of a team in each. @throws {FormError} with all faults of form. */
  *readInSteps(): Steps<GatewaySource> {
    for (const part of this.#given.bundle.parts) {
      this.#parse(part, undefined);
      yield;
    }
    return this.read();
  }

  /** @throws {FormError} with all faults of form. */
  read(left: LeftFiles = new Map()): GatewaySource {
    if (this.#own.length > 0) return this.refuse([]);
    const { bundle } = this.#given;
    const all = bundle.parts.map((part) => ({ part, parsed: this.#parse(part, left.get(part.name)?.reads) }));
    const teams = all.flatMap(({ parsed, part }) =>
      left.get(part.name)?.reads === 'nothing' ? [] : [parsed],
    );
    const broken = teams.flatMap(({ faults }) => faults);
    if (broken.length > 0) {
      const next = this.#without(left, broken);
      if (next !== undefined) return next;
      throw new FormError<GatewaySource>(broken, () => this.#rest());
    }
    return this.#composed(all, teams, left);
  }

  /** @throws {FormError} with these faults, and those of the files of teams. */
  refuse(faults: readonly ConfigFault[]): never {
    const parsed = this.#given.bundle.parts.map((part) => this.#parse(part, undefined));
    const all = [...faults, ...this.#own, ...parsed.flatMap((one) => one.faults)];
    throw new FormError<GatewaySource>(all, () => this.#rest());
  }

  /** What is left of all files without what is wrong with their form. */
  #rest(): ReturnType<FormError<GatewaySource>['rest']> {
    const { bundle } = this.#given;
    const all = bundle.parts.map((part) => ({ part, parsed: this.#parse(part, undefined) }));
    const rests = all.map(({ parsed }) => (parsed.read === undefined ? (parsed.rest?.() ?? parsed) : parsed));
    // What a team has beside a file of which nothing is known cannot be told.
    const lost = new Set(rests.flatMap(({ read, source }) => (read === undefined ? [source.team] : [])));
    const whole = rests.filter(({ source }) => !lost.has(source.team));
    const left = this.#composed(all, whole, new Map());
    const found = rests.flatMap((rest, index) => (rest === all[index]?.parsed ? [] : rest.faults));
    return { left: { ...left, cuts: left.cuts ?? NO_CUTS }, found };
  }

  #composed(all: readonly Parsed[], teams: readonly ParsedTeam[], left: LeftFiles): GatewaySource {
    const { value, document, cuts, ...composed } = composedOf(this.#main, teams);
    const leftOut = all.flatMap(({ part, parsed: { source } }): LeftOut[] => {
      const { reads, faults = [] } = left.get(part.name) ?? {};
      return reads === undefined ? [] : [{ file: source.file, team: source.team, serves: reads, faults }];
    });
    return {
      value,
      cuts,
      document: { ...document, text: this.#textWith(left), digest: writtenDigest(this.#given.text) },
      teams: {
        ...composed,
        sources: teams.map(({ source }) => source),
        granted: this.#teams(),
        names: [...new Set(teams.map(({ source }) => source.team))].toSorted(),
        leftOut,
        good: this.#good(left),
        without: (faults) => this.#without(left, faults),
      },
    };
  }

  #without(left: LeftFiles, faults: readonly ConfigFault[]): GatewaySource | undefined {
    if (this.#given.reading.leavesOut !== true) return undefined;
    const next = leaveOut(this.#files(), left, faults);
    return next && this.read(next);
  }

  #files(): readonly IncludedFile[] {
    return this.#given.bundle.parts.map((part) => ({
      name: part.name,
      file: join(dirname(this.#given.file), part.name),
      mayLeave: this.#entryOf(part).onFault === 'leaveOut',
      written: part.fault === undefined ? part.text : UNREADABLE,
      good: this.#goodOf(part),
    }));
  }

  // What is written in the files, and for those that are left out what holds instead.
  #textWith(left: LeftFiles): string {
    const { bundle, text } = this.#given;
    const isWritten = left.size === 0 && bundle.parts.every(({ used }) => used === undefined);
    if (isWritten) return text;
    const parts = bundle.parts.map((part) => ({
      ...part,
      used: left.get(part.name)?.reads === 'last-good' ? this.#goodOf(part) : undefined,
    }));
    return bundleText({ ...bundle, parts });
  }

  #good(left: LeftFiles): ReadonlyMap<string, string> {
    const texts = this.#given.bundle.parts.flatMap((part): [string, string][] => {
      const { reads } = left.get(part.name) ?? {};
      const text = reads === undefined ? part.text : reads === 'last-good' ? this.#goodOf(part) : undefined;
      return text === undefined ? [] : [[part.name, text]];
    });
    return new Map(texts);
  }

  #goodOf({ name, used }: IncludedPart): string | undefined {
    return this.#given.reading.good?.get(name) ?? used;
  }

  #entryOf({ entry }: IncludedPart): IncludeEntry {
    const found = this.#main.value.include?.[entry];
    if (found === undefined) throw new Error(`there is no include[${entry}]`);
    return found;
  }

  // Of all teams that there are, whether their files hold or not.
  #variablesBeside(part: IncludedPart): readonly string[] {
    const team = teamOf(part, this.#entryOf(part));
    const others = this.#teams().filter((one) => one.team !== team);
    return [...new Set(others.flatMap(({ rights }) => rights.variables))];
  }

  #teams(): readonly Granted[] {
    return (this.#granted ??= this.#given.bundle.parts.map((part) => {
      const entry = this.#entryOf(part);
      const team = teamOf(part, entry);
      const { line, column } = this.#main.document.locate(['include', part.entry]);
      return {
        team,
        rights: rightsFor(team, entry.rights),
        grantedAt: `${this.#given.file}:${line}:${column}`,
      };
    }));
  }

  #parse(part: IncludedPart, reads: Left['reads'] | undefined): ParsedTeam {
    const key = `${part.name}\n${reads ?? 'written'}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const { file, reading } = this.#given;
    const { line, column } = this.#main.document.locate(['include', part.entry]);
    const isGood = reads === 'last-good';
    const parsed = parseTeam(isGood ? { ...part, text: this.#goodOf(part) ?? '', fault: undefined } : part, {
      folder: dirname(file),
      schema: this.#form.team(),
      variables: reading.variables ?? process.env,
      entry: this.#entryOf(part),
      grantedAt: `${file}:${line}:${column}`,
      othersVariables: this.#variablesBeside(part),
    });
    this.#parsed.set(key, parsed);
    return parsed;
  }
}

// A right to what there is not is a slip of whoever gives it.
function unknownShared({ value, document, cuts }: ReadConfig<GatewayConfig>): ConfigFault[] {
  const unsure = cuts && new UnsureParts(cuts);
  const known = Object.keys(value.upstreams);
  return (value.include ?? []).flatMap(({ rights: { upstreams } }, entry) =>
    (upstreams === 'any' ? [] : upstreams).flatMap((name, index): ConfigFault[] => {
      if (known.includes(name) || name.includes('{team}') || unsure?.isUnsure(name) === true) return [];
      const path = ['include', entry, 'rights', 'upstreams', index];
      const key = renderPath(path, undefined);
      const message = `there is no upstream "${name}" in this file`;
      const suggestion = nearestName(name, known);
      return [{ file: document.file, ...document.locate(path), key, message, suggestion }];
    }),
  );
}

/** No file says this. */
const UNREADABLE = '\0';
