import type { Exchange } from '../exchange/exchange.ts';
import type { Principal } from '../exchange/principal.ts';
import type { RoleBook } from '../exchange/role-book.ts';

/** What a stage goes by, by names of its own: `key`, `left`. No secrets. */
export type StageFacts = Readonly<Record<string, string>>;

/** Whether a caller gets by, whatever it asks for; `depends` where that is for the request to say. */
export interface Judgement {
  /** Which requests it is about, where not all of the route. */
  readonly path?: string | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly may: 'yes' | 'no' | 'depends';
  /** In names of the configuration; empty for nothing to say. */
  readonly why: string;
}

/** What a stage may tell of a request that nobody has sent. */
export interface ExplainedStage {
  /**
   * Tells what it goes by for an exchange that nobody has sent, such as keys, and writes on it what later steps read. Nothing
   * else happens: no token is taken, nothing stored is looked at, nobody is asked. Throws the problem that it would refuse
   * with. Absent: it has nothing to tell besides its options.
   */
  readonly explain?: ((exchange: Exchange) => StageFacts | void) | undefined;
  /** Tells who gets by. Absent: everybody does. */
  readonly judge?: ((principal: Principal | undefined, roles: RoleBook) => readonly Judgement[]) | undefined;
}
