/** The formats that are read. */
export const IMPORT_FORMATS = ['kong', 'openapi'] as const;

/** What somebody wants to have imported. */
export interface ImportCommand {
  readonly name: 'import';
  readonly format: (typeof IMPORT_FORMATS)[number];
  readonly file: string;
  readonly outFile: string | undefined;
}
