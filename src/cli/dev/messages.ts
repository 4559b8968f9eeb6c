import type { ListedRoute } from '../../admin/route-listing.ts';
import type { DevCommand } from './dev-command.ts';

/** The variable that tells a child that it has time to warm up. */
export const SPARE = 'GATEHOUSE_DEV_SPARE';

/** What a change of a file asks for. */
export type Kind = 'code' | 'config' | 'proto' | 'own';

/** A file that what serves was made of. */
export interface UsedFile {
  readonly path: string;
  readonly kind: Kind;
  /** What `stat` told when it was read; see `stampOf`. */
  readonly stamp: string;
}

/** What a gateway that serves tells of itself. */
export interface Serving {
  readonly urls: readonly string[];
  readonly adminUrl: string;
  readonly routes: readonly ListedRoute[];
  /** A line for each upstream that is faked. */
  readonly fakes: readonly string[];
}

/** What a child says. */
export type FromChild =
  | { readonly is: 'ready'; readonly serving: Serving; readonly files: readonly UsedFile[] }
  /** What keeps it from starting. */
  | { readonly is: 'failed'; readonly text: string; readonly files: readonly UsedFile[] }
  /** What became of a reload. */
  | {
      readonly is: 'reloaded';
      readonly outcome: 'reloaded' | 'unchanged' | 'faulty' | 'needs-restart';
      readonly text: string;
      readonly serving: Serving;
      readonly files: readonly UsedFile[];
    }
  /** Nobody can connect to it any more, and who was connected and idle is not: it finishes what is open. */
  | { readonly is: 'left' }
  /** A line for whoever develops. */
  | { readonly is: 'said'; readonly text: string };

/** What a child is told. */
export type ToChild =
  | { readonly is: 'begin'; readonly command: DevCommand; readonly color: boolean }
  /** Read the configuration again. */
  | { readonly is: 'reload' }
  /** Another one serves: finish what is open, and end. */
  | { readonly is: 'leave' }
  /** End at once. */
  | { readonly is: 'end' };
