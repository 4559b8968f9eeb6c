import type { HostTrees } from './host-trees.ts';
import { isNoWayTo, type OtherSpellings } from './other-spellings.ts';
import { askedBy } from './preflight-candidates.ts';
import { foldPath, hasEncodedSlash, withoutParameters } from './request-path.ts';
import type { Route } from './route.ts';
import type { RouteIndex } from './route-index.ts';
import { searchFor, type MatchSubject } from './segment-tree.ts';

/** What the routes of a table are found by. */
interface Finders {
  readonly tree: HostTrees;
  readonly spellings: OtherSpellings;
  readonly index: RouteIndex;
}

/** Finds the routes that could take the request which a page asks leave for, see `PreflightCandidates`. */
export class PreflightRoutes {
  readonly #finders: Finders;

  constructor(finders: Finders) {
    this.#finders = finders;
  }

  /**
   * Those that a request of this method could take; mostly one. None for a path that the request itself would be refused for,
   * such as `/ADM/x` on its way by `/*` where `/adm/x` is guarded: nobody's grant is for that.
   */
  find(asked: MatchSubject, method: string): readonly Route[] {
    const { path } = asked;
    const { tree, spellings } = this.#finders;
    const found = this.#possible(tree, asked, { path, method });
    const bare = path.includes(';') ? { path: withoutParameters(path), method } : undefined;
    // Only what is refused for sure is left out: what is left has to agree to the grant.
    const alike = bare && new Set(this.#possible(tree, asked, bare));
    const isSlashed = hasEncodedSlash(path);
    return found.filter((route) => {
      if (alike?.has(route) === false || (isSlashed && route.paths.encodedSlashes !== 'pass')) return false;
      const folded = isLiteral(route) ? undefined : spellings.treeFor(route, path);
      if (folded === undefined) return true;
      const owners = this.#possible(folded, asked, { path: foldPath(path), method });
      return owners.some((owner) => isNoWayTo(owner, route));
    });
  }

  #possible(
    tree: HostTrees,
    asked: MatchSubject,
    { path, method }: { readonly path: string; readonly method: string },
  ): readonly Route[] {
    const { host, request, query } = asked;
    const subject = askedBy({ path, host, request, query, method }, method);
    const { preflight } = subject;
    const chosen = preflight.with(tree.find(searchFor(subject, path))).flatMap((route) => {
      const { chooser } = route;
      if (chooser === undefined) return route;
      const isOpen = chooser.vary !== undefined && preflight.mayCarry(chooser.vary);
      const ids = isOpen ? chooser.ids : [chooser.idFor(request)];
      return ids.map((id) => this.#finders.index.byId(id)).filter((one) => one !== undefined);
    });
    return [...new Set(chosen)];
  }
}

function isLiteral({ pattern }: Route): boolean {
  return pattern.parameters.length === 0 && !pattern.wildcard;
}
