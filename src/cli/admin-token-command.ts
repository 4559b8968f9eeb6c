import { readOptions, UsageError } from './options.ts';
import { nearestName } from '../config/nearest-name.ts';
import { ROLES, type Role } from '../admin/access/roles.ts';

/** A token for the operators' listener to be made. */
export interface AdminTokenCommand {
  readonly name: 'admin-token';
  readonly of: string;
  readonly role: Role;
  /** After which time, or when it ends, as it was said. */
  readonly expires: string | undefined;
  /** The file that its line is added to. */
  readonly addTo: string | undefined;
  /** The file that the token is written to. */
  readonly outFile: string | undefined;
}

const OPTIONS = {
  name: { type: 'string' },
  role: { type: 'string' },
  expires: { type: 'string' },
  add: { type: 'string' },
  out: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** Reads the arguments behind `gatehouse admin-token`. @returns undefined when somebody asks for help. @throws UsageError for what makes no sense. */
export function adminTokenCommand(args: readonly string[]): AdminTokenCommand | undefined {
  const values = readOptions(args, OPTIONS);
  if (values.flag('help')) return undefined;
  const [name, given] = [values.text('name'), values.text('role')];
  if (name === undefined || !NAME.test(name))
    throw new UsageError('admin-token: expected --name, of letters, digits and . _ @ -, whose token it is');
  const role = ROLES.find((one) => one === given);
  if (role === undefined) {
    const nearest = given === undefined ? undefined : nearestName(given, ROLES);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw new UsageError(`admin-token: expected --role, one of ${ROLES.join(', ')}${hint}`);
  }
  const expires = values.text('expires');
  return { name: 'admin-token', of: name, role, expires, addTo: values.text('add'), outFile: values.text('out') }; // prettier-ignore
}
