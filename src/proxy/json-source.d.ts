/** JSON.parse source text access (ECMAScript proposal, in Node since 21), which TypeScript's library lacks. */
interface JSON {
  rawJSON(text: string): { readonly rawJSON: string };
  isRawJSON(value: unknown): boolean;
}
