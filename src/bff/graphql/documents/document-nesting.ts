import { GraphQLError, Lexer, Source, TokenKind, type Token } from 'graphql';
import type { SizeLimits } from './size-limit.rule.ts';

/** The least that documents may nest; the parser and whatever walks its tree call themselves once or more a level. */
const NESTING = 200;

/**
 * How deep the selections of a document may nest in all, fragments included: no fields are left out of this count,
 * nor what has no fields of its own.
 */
export function maxNesting({ maxDepth }: Pick<SizeLimits, 'maxDepth'>): number {
  return Math.max(NESTING, 4 * maxDepth);
}

/**
 * Finds what is nested too deep in a text before anything is made of it, so that no walk of its syntax tree can run
 * out of stack: selections, and between parentheses the lists and objects of values and the lists of types.
 *
 * @returns undefined when all is well, or when the text is no GraphQL, which the parser then words.
 */
export function nestingFault(
  text: string,
  limits: Pick<SizeLimits, 'maxDepth' | 'maxValueDepth' | 'maxTokens'>,
): GraphQLError | undefined {
  const source = new Source(text);
  const lexer = new Lexer(source);
  const meter = new NestingMeter(maxNesting(limits), limits.maxValueDepth);
  try {
    // The parser refuses more tokens than that.
    for (let count = 0; count <= limits.maxTokens; count += 1) {
      const token = lexer.advance();
      if (token.kind === TokenKind.EOF) return undefined;
      const message = meter.meet(token);
      if (message !== undefined) return new GraphQLError(message, { source, positions: [token.start] });
    }
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
  }
  return undefined;
}

/** Counts what is open at each token. */
class NestingMeter {
  readonly #maxSelections: number;
  readonly #maxValues: number;
  #selections = 0;
  #values = 0;
  /** Open parentheses: in arguments of directives on variables, two. */
  #parentheses = 0;

  constructor(maxSelections: number, maxValues: number) {
    this.#maxSelections = maxSelections;
    this.#maxValues = maxValues;
  }

  meet({ kind }: Token): string | undefined {
    if (kind === TokenKind.PAREN_L) this.#parentheses += 1;
    else if (kind === TokenKind.PAREN_R) this.#parentheses -= 1;
    else if (kind === TokenKind.BRACE_L || kind === TokenKind.BRACKET_L) return this.#open();
    else if (kind === TokenKind.BRACE_R || kind === TokenKind.BRACKET_R) this.#close();
    return undefined;
  }

  #open(): string | undefined {
    if (this.#parentheses > 0) {
      this.#values += 1;
      if (this.#values > this.#maxValues)
        return `Values are nested more than ${this.#maxValues} levels deep.`;
    } else {
      this.#selections += 1;
      if (this.#selections > this.#maxSelections)
        return `Selections are nested more than ${this.#maxSelections} levels deep.`;
    }
    return undefined;
  }

  #close(): void {
    if (this.#parentheses > 0) this.#values -= 1;
    else this.#selections -= 1;
  }
}
