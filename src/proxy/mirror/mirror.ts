import { percentText } from '../../config/units.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { compileProxyFields, type ProxyFields } from '../../upstreams/http/proxy-fields.ts';
import { outboundHeaders } from '../../upstreams/http/request-headers.ts';
import type { Upstream } from '../../upstreams/upstream.ts';
import { describedAnew } from '../edited-body.ts';
import type { OutboundHost } from '../outbound-host.ts';
import type { CompareRules } from './compare-answers.ts';
import { IgnoredPlaces } from './ignored-places.ts';
import type { MirrorOptions } from './mirror.schema.ts';
import type { MirrorTally } from './mirror-tally.ts';
import { MirroredRequest } from './mirrored-request.ts';

/** Tells a service that nobody waits for its answer. No client can say so. */
const MARK = ['x-gatehouse-mirror', '1'] as const;

/** What a mirror is compiled with. */
export interface MirrorParts {
  readonly upstream: Upstream;
  readonly host: OutboundHost | undefined;
  /** The prefix of the path that is taken away. */
  readonly prefix: string | undefined;
  readonly tally: MirrorTally;
}

/** Chooses the requests of a route that another upstream is sent as well. */
export class Mirror {
  readonly options: MirrorOptions;
  readonly upstream: Upstream;
  readonly tally: MirrorTally;
  /** In a few words, for listings. */
  readonly shown: string;
  /** Undefined: answers are not compared. */
  readonly compare: CompareRules | undefined;
  readonly #host: OutboundHost | undefined;
  readonly #fields: ProxyFields | undefined;
  readonly #methods: ReadonlySet<string>;
  readonly #random: () => number;

  /** @param random from 0 up to and without 1. */
  constructor(options: MirrorOptions, parts: MirrorParts, random: () => number = Math.random) {
    const { compare } = options;
    this.options = options;
    this.upstream = parts.upstream;
    this.tally = parts.tally;
    this.shown = `mirror ${parts.upstream.name}${options.share < 1 ? ` ${percentText(options.share)}` : ''}`;
    this.compare = compare && { ignored: IgnoredPlaces.of(compare.ignore), maxBytes: compare.maxBody };
    this.#host = parts.host;
    this.#fields = compileProxyFields(parts.upstream.options, parts.prefix);
    this.#methods = new Set(options.methods);
    this.#random = random;
  }

  /** The copy of a request; undefined for one that is not mirrored. */
  copyOf(exchange: Exchange): MirroredRequest | undefined {
    const { share, maxInFlight } = this.options;
    if (!this.#methods.has(exchange.method) || exchange.cancelled !== undefined) return undefined;
    if (share < 1 && this.#random() >= share) return undefined;
    return this.tally.enter(maxInFlight) ? new MirroredRequest(this, exchange) : undefined;
  }

  /**
   * Whether a request would be mirrored, for who operates the gateway; nothing is counted.
   *
   * @param length of its body in bytes; 0 without one.
   */
  foreseen({ method }: Exchange, length: number): { readonly isMirrored: boolean; readonly why: string } {
    const { share, methods, maxBody } = this.options;
    if (!this.#methods.has(method))
      return { isMirrored: false, why: `not mirrored: ${method} is not ${methods.join(', ')}` };
    if (length > maxBody)
      return { isMirrored: false, why: `not mirrored: its body is larger than ${maxBody} bytes` };
    const told = this.compare === undefined ? 'nobody looks at the answer' : 'the answers are compared';
    const chosen = share < 1 ? `chance decides, ${Number((share * 100).toFixed(3))} % are` : 'every one is';
    return { isMirrored: share > 0, why: `${chosen}; ${told}` };
  }

  /**
   * The header fields of a copy: those that the upstream would get by default for a route of its own, and the mark.
   *
   * @throws {Problem} as {@link OutboundHost.of}.
   */
  headOf(
    exchange: Exchange,
    isEdited: boolean,
  ): { readonly fields: readonly string[]; readonly host: string | undefined } {
    const { deadlineField } = this.upstream;
    const fields = outboundHeaders(exchange, exchange.headerEdits, this.upstream, this.#fields);
    fields.push(...MARK);
    // The length of what is sent is said anew anyway.
    const described = isEdited ? describedAnew(fields, 0) : fields;
    const told =
      deadlineField === undefined ? described : deadlineField.fieldsOf(described, exchange.remainingMs());
    return { fields: told, host: this.#host?.of(exchange) };
  }
}
