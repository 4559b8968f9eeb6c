import type { Exchange } from '../exchange/exchange.ts';

/** The part of a stage that looks at requests which come in several messages, where they are translated. */
export interface LineStage {
  /** Looks at one message of them, a line of a body or a frame; throws what speaks against it. */
  readonly line?: ((exchange: Exchange, text: Buffer) => void) | undefined;
  /** Whether `line` knows what a client may say over a WebSocket as well. Default false. */
  readonly checksFrames?: boolean | undefined;
}
