import type { Transform } from 'node:stream';
import type { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import { addVary } from '../../exchange/vary.ts';
import { fieldOf, fieldsOf } from '../../exchange/field-list.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { chooseCoding, refusesPlain } from './accept-encoding.ts';
import { compileTypes } from './compressible.ts';
import { compressionPolicy } from './compression.policy.ts';
import { Compressors } from './compressors.ts';
import { forbidsRecoding, recode, weaken } from './recoding.ts';

type CompressionOptions = z.output<typeof compressionPolicy.schema>;

/** Statuses whose answer has no body, or a part of one. */
const UNFIT: ReadonlySet<number> = new Set([204, 205, 206]);
const NOT_MODIFIED = 304;

/** Compresses the answers of one route. */
class CompressionStage implements Stage {
  readonly #options: CompressionOptions;
  readonly #isOfType: (contentType: string) => boolean;
  readonly #compressors: Compressors;

  constructor(options: CompressionOptions, compressors: Compressors) {
    this.#options = options;
    this.#isOfType = compileTypes(options.types);
    this.#compressors = compressors;
  }

  stream({ request }: Exchange, head: ResponseHead): Transform | undefined {
    const { headers } = head;
    const { codings, levels } = this.#options;
    if (head.status === NOT_MODIFIED) return void this.#validate(request.headers['accept-encoding'], headers);
    const accepted = asText(request.headers['accept-encoding']);
    if (UNFIT.has(head.status) || !this.#isFit(headers, accepted)) return undefined;
    addVary(headers, 'Accept-Encoding');
    if (forbidsRecoding(request.headers['cache-control'])) return undefined;
    const coding = chooseCoding(accepted, codings);
    if (coding === undefined) return undefined;
    // Availability fails open: too many at a time, and the answer goes as it is.
    const compressor = this.#compressors.make(coding, levels);
    if (compressor !== undefined) recode(headers, coding);
    return compressor;
  }

  explain({ request: { headers } }: Exchange): StageVerdict {
    const coding = chooseCoding(asText(headers['accept-encoding']), this.#options.codings);
    if (coding === undefined) return passes({}, 'the client asks for no coding that there is');
    if (forbidsRecoding(headers['cache-control'])) return passes({}, 'the client says no-transform');
    return depends(`${coding}, if type and size of the answer are worth it`);
  }

  /** A client that has the compressed answer knows it by a weak tag; it may have come with this one's. */
  #validate(accepted: string | string[] | undefined, headers: string[]): void {
    addVary(headers, 'Accept-Encoding');
    if (chooseCoding(asText(accepted), this.#options.codings) !== undefined) weaken(headers);
  }

  #isFit(headers: readonly string[], accepted: string | undefined): boolean {
    const types = fieldsOf(headers, 'content-type');
    // Which of several would be believed nobody knows.
    if (types.length !== 1 || !this.#isOfType(types[0] as string)) return false;
    const length = fieldOf(headers, 'content-length');
    const isSmall = length !== undefined && !(Number(length) >= this.#options.minSize);
    if (isSmall && !refusesPlain(accepted)) return false;
    if (fieldOf(headers, 'content-range') !== undefined) return false;
    const isPlain = (coding: string): boolean => coding.trim().toLowerCase() === 'identity';
    if (!fieldsOf(headers, 'content-encoding').every(isPlain)) return false;
    return !fieldsOf(headers, 'cache-control').some(forbidsRecoding);
  }
}

function asText(field: string | string[] | undefined): string | undefined {
  return field === undefined ? undefined : String(field);
}

/** Compiles the `compression` policy. */
export class CompressionStageFactory implements StageFactory {
  readonly policy = compressionPolicy;
  /** Of all routes together: it is one process that compresses. */
  readonly #compressors = new Compressors();

  compile({ policies }: StageInput): Stage | undefined {
    const { compression } = policies;
    return compression === undefined ? undefined : new CompressionStage(compression, this.#compressors);
  }
}

/** Registers the policy in THE ORDER. */
export const compression = { policy: compressionPolicy, factory: CompressionStageFactory };
