import { format } from 'oxfmt';
import rules from '../.oxfmtrc.json' with { type: 'json' };

/**
 * A generated file as `npm run format` would leave it.
 *
 * @param file whose name says what its text is.
 * @throws {Error} when the text cannot be read as that.
 */
export async function formatted(file: string, text: string): Promise<string> {
  const { ignorePatterns: _, ...options } = rules;
  const { code, errors } = await format(file, text, options as Parameters<typeof format>[2]);
  if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message).join('; ')}`);
  return code;
}
