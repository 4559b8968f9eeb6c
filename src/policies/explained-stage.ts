import type { Exchange } from '../exchange/exchange.ts';
import type { Principal } from '../exchange/principal.ts';
import type { RoleBook } from '../exchange/role-book.ts';

/** What a stage goes by, by names of its own: `key`, `left`. No secrets. */
export type StageFacts = Readonly<Record<string, string>>;

/**
 * What a stage would do with a request that it does not refuse: let it pass as it is, change something of it or of its
 * answer, answer in place of whoever would have, or what `depends` on something that is only known when it runs.
 */
export interface StageVerdict {
  readonly does: 'passes' | 'changes' | 'answers' | 'depends';
  /** What it changes or answers, or what it depends on; absent where there is nothing to say. */
  readonly why?: string | undefined;
  readonly facts?: StageFacts | undefined;
}

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
   * Tells what it would do with an exchange that nobody has sent, and writes on it what later steps read. Nothing else
   * happens: no token is taken, what is stored stays as it is, nobody is asked. Throws the problem that it would refuse with.
   *
   * @param body of the request, whole; undefined without one.
   */
  readonly explain?: ((exchange: Exchange, body: Buffer | undefined) => StageVerdict) | undefined;
  /** Whether it has to do with a caller, where it is there for some callers and no policy of the route asks for it. Absent: yes. */
  readonly concerns?: ((exchange: Exchange) => boolean) | undefined;
  /** Tells who gets by. Absent: everybody does. */
  readonly judge?: ((principal: Principal | undefined, roles: RoleBook) => readonly Judgement[]) | undefined;
}

/** The verdict of a stage that lets a request pass. */
export const passes = (facts?: StageFacts, why?: string): StageVerdict => ({ does: 'passes', why, facts });

/** The verdict of a stage that changes something. */
export const changes = (why: string, facts?: StageFacts): StageVerdict => ({ does: 'changes', why, facts });

/** The verdict of a stage that answers itself. */
export const answers = (why: string, facts?: StageFacts): StageVerdict => ({ does: 'answers', why, facts });

/** The verdict of a stage that cannot tell before it runs. @param why what it depends on. */
export const depends = (why: string, facts?: StageFacts): StageVerdict => ({ does: 'depends', why, facts });
