import type { Answer, Exchange } from '../../../exchange/exchange.ts';
import { Problem } from '../../../problems/problem.ts';
import { passes, type StageVerdict } from '../../explained-stage.ts';
import type { Stage } from '../../stage.ts';
import { isNavigation } from './foreign-page.ts';
import { hopPage, seeOther } from './hop-page.ts';
import type { LoginOptions } from './login.schema.ts';
import { withBearer } from './session.ts';

/** What a route says about sessions besides accepting them. */
export interface SessionWishes {
  readonly onNavigation: boolean;
  readonly forwards: boolean;
}

/** Sends pages without a session to log in, and lets services have the access token of one that there is. */
export class SessionStage implements Stage {
  readonly #identify: Stage;
  readonly #options: LoginOptions;
  readonly #wishes: SessionWishes;

  constructor(identify: Stage, options: LoginOptions, wishes: SessionWishes) {
    this.#identify = identify;
    this.#options = options;
    this.#wishes = wishes;
  }

  enter(exchange: Exchange): void | Answer | Promise<void | Answer> {
    try {
      const entered = this.#identify.enter?.(exchange);
      if (entered instanceof Promise)
        return entered.then(
          () => this.#forward(exchange),
          (error: unknown) => this.#instead(exchange, error),
        );
    } catch (error) {
      return this.#instead(exchange, error);
    }
    this.#forward(exchange);
  }

  explain(exchange: Exchange, body: Buffer | undefined): StageVerdict {
    return this.#identify.explain?.(exchange, body) ?? passes();
  }

  #forward(exchange: Exchange): void {
    const { principal } = exchange;
    if (this.#wishes.forwards && principal !== undefined) exchange.principal = withBearer(principal);
  }

  /** @throws what speaks against the request, unless it is a page that may log in. */
  #instead(exchange: Exchange, error: unknown): Answer {
    const { request, path, query } = exchange;
    const mayLogIn = error instanceof Problem && error.status === 401 && isNavigation(request);
    if (!this.#wishes.onNavigation || !mayLogIn) throw error;
    // Another site has sent the browser, so that it has kept its cookie to itself.
    if (request.headers['sec-fetch-site'] === 'cross-site') return hopPage(path + query);
    return seeOther(`${this.#options.paths.login}?return=${encodeURIComponent(path + query)}`);
  }
}
