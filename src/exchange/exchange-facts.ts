/** One try at one target, as the access line and the metrics show it. */
export interface Attempt {
  /** `host:port` of the target. */
  readonly target: string;
  /** What came back: an HTTP status, a gRPC status name, or a fault such as `unreachable`. */
  outcome: string;
  /** Whether the target has certainly not begun with it, whatever the word says. */
  untouched?: true;
  /** Whether it was made beside another one, which was slow. */
  readonly hedge?: true;
  /** Time until the outcome was known, in ms: until the head of an answer that streams; 0 until then. */
  durationMs: number;
}

/** Which side of a canary a request is on, as the access line shows it. */
export interface TrafficSide {
  readonly name: 'stable' | 'canary';
  /** What has decided that. */
  readonly by: 'rule' | 'principal' | 'cookie' | 'header' | 'address' | 'all' | 'none left';
}

/** A part of a composed answer that its source did not serve, as the access line shows it. */
export interface DegradedPart {
  /** By names of the view or of the schema, and by indexes. */
  readonly section: string;
  /** Why: a code of the catalogue. */
  readonly code: string;
  /** What the client got instead. */
  readonly via: string;
}

/** What went over a WebSocket that was forwarded, as the access line shows it. */
export interface SocketFacts {
  /** Who has ended it. */
  readonly by: 'client' | 'upstream' | 'gateway';
  /** The code that it was closed with (RFC 6455 section 7.4); 1006 for an end without a word. */
  readonly code: number;
  /** From the client, and to it. */
  readonly in: SocketTraffic;
  readonly out: SocketTraffic;
}

/** One direction of a WebSocket. */
export interface SocketTraffic {
  readonly messages: number;
  /** Frames and all. */
  readonly bytes: number;
}

/** What the limit stage decided, for the header fields of the answer. */
export interface LimitDecision {
  readonly allowed: boolean;
  /** Capacity of the bucket. */
  readonly limit: number;
  /** Whole tokens left. */
  readonly remaining: number;
  /** Time until the bucket is full again, in ms. */
  readonly resetMs: number;
  /** Time until the next request can pass, in ms; 0 when allowed. */
  readonly retryAfterMs: number;
}

/** Header fields that somebody vouches for whom the configuration has asked. */
export interface VouchedFields {
  /** Names, folded, of all that could have been said; whatever the client says under them is dropped. */
  readonly folded: ReadonlySet<string>;
  /** Flat list: name, value; names in lower case. */
  readonly fields: readonly string[];
}

/**
 * Why it is not sure whose address a request comes from: trusted proxies contradict each other or say what cannot be read
 * at all, or the last one that vouches names nobody. The address is then that of the last one that vouches.
 */
export type AddressDoubt = 'contradiction' | 'unreadable';
