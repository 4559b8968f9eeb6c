import type { TrafficSide } from '../exchange/exchange.ts';
import type { Target } from '../upstreams/target.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** What an action would do with an exchange whose stages have passed; nothing is done. */
export interface Foreseen {
  /** What the client would be answered without anybody being asked. */
  readonly answer?: string | undefined;
  /** Why it cannot be told which requests are made, or only of some of them; absent when all are told. */
  readonly untold?: string | undefined;
  /** Which side of a canary it is on. */
  readonly side?: ForeseenSide | undefined;
  /** The requests that would be made. */
  readonly requests: readonly ForeseenRequest[];
}

/** The side of a canary that a request is on. */
export interface ForeseenSide extends Pick<TrafficSide, 'name'> {
  readonly why: string;
  /** Targets of the upstream that are not on it. */
  readonly others: readonly Target[];
}

/** A request that would be made; nothing is sent. */
export interface ForeseenRequest {
  /** What it is, where there is more than the request itself: the name of a call, or `mirror`. */
  readonly name?: string | undefined;
  /** Undefined where only code knows which one it goes to. */
  readonly upstream: Upstream | undefined;
  /** Whether it is made at all, what it waits for, and the like. */
  readonly note?: string | undefined;
  /**
   * Request line and header fields, as a target would get them; absent where they depend on what others answer.
   *
   * @param target undefined where nobody knows it.
   * @throws {Problem} what would be answered in its place.
   */
  readonly headFor?: ((target: Target | undefined) => string) | undefined;
  readonly body?: ForeseenBody | undefined;
  /** The field of its answer that the client gets in place of the whole, by its name in JSON. */
  readonly answerField?: string | undefined;
}

/** The body of a request that would be made. */
export interface ForeseenBody {
  /** As it would be sent; for a message of gRPC its JSON. */
  readonly bytes: Buffer;
  /** What has become of it, where it is not as the client sent it: `edited`. */
  readonly as?: string | undefined;
}
