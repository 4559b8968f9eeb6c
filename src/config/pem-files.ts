import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import { readNamedFile } from './named-file.ts';

/** Something to be said about a file that the configuration names. */
export interface FileRemark {
  /** From the root of the configuration. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The certificates of a file. */
export interface Certificates {
  readonly text: string;
  readonly all: readonly X509Certificate[];
}

/** A private key of a file. */
export interface PrivateKey {
  readonly text: string;
  readonly key: KeyObject;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no file',
  ENOTDIR: 'there is no file',
  EACCES: 'no permission to read',
  EISDIR: 'expected a file, not the folder',
  ENOTFILE: 'expected a file, not',
  EFBIG: 'larger than 64 MiB:',
};
const MOST_NAMED = 3;

/** Reads the files in PEM that one section of the configuration names, and says what is wrong with them. */
export class PemFiles {
  readonly faults: FileRemark[] = [];
  readonly warnings: FileRemark[] = [];
  readonly #path: FileRemark['path'];
  readonly #folder: string;
  readonly #now: number;

  /**
   * @param path of the section.
   * @param folder that relative names start from: the one of the configuration file.
   * @param now for the dates of certificates, in ms since the epoch.
   */
  constructor(path: FileRemark['path'], folder: string, now: number) {
    this.#path = path;
    this.#folder = folder;
    this.#now = now;
  }

  /** The certificates that a key of the section names; undefined without the key, or with a fault. */
  certificates(name: string, file: string | undefined): Certificates | undefined {
    const text = this.#read(name, file);
    if (text === undefined) return undefined;
    const blocks = text.match(CERTIFICATE) ?? [];
    if (blocks.length === 0) this.fault(name, `expected a certificate in PEM in ${this.#place(file)}`);
    const all = blocks.flatMap((block, index) => {
      try {
        return [new X509Certificate(block)];
      } catch {
        this.fault(name, `certificate ${index + 1} in ${this.#place(file)} cannot be read`);
        return [];
      }
    });
    this.#checkDates(name, file, all);
    return { text, all };
  }

  #checkDates(name: string, file: string | undefined, all: readonly X509Certificate[]): void {
    const outdated = all.flatMap((one) => {
      const [from, to] = [Date.parse(one.validFrom), Date.parse(one.validTo)];
      if (from <= this.#now && this.#now <= to) return [];
      return [
        `${nameOf(one)} ${this.#now > to ? `has expired on ${day(to)}` : `is not valid before ${day(from)}`}`,
      ];
    });
    // One line for a file, for bundles hold many.
    if (outdated.length === 0) return;
    const more = outdated.length > MOST_NAMED ? `, and ${outdated.length - MOST_NAMED} more` : '';
    const message = `in ${this.#place(file)}: ${outdated.slice(0, MOST_NAMED).join('; ')}${more}`;
    this.warnings.push({ path: [...this.#path, name], message });
  }

  /** A certificate and its key, each undefined without its name; says so if they do not belong together. */
  pair(names: { readonly cert?: string | undefined; readonly key?: string | undefined }): {
    readonly cert: Certificates | undefined;
    readonly key: PrivateKey | undefined;
  } {
    const [cert, key] = [this.certificates('cert', names.cert), this.#key(names.key)];
    const own = cert?.all[0];
    if (own !== undefined && key !== undefined && !own.checkPrivateKey(key.key)) {
      const place = this.#place(names.cert);
      this.fault(
        'key',
        `the key in ${this.#place(names.key)} is not the one of the first certificate in ${place}`,
      );
    }
    return { cert, key };
  }

  #key(file: string | undefined): PrivateKey | undefined {
    const text = this.#read('key', file);
    if (text === undefined) return undefined;
    try {
      return { text, key: createPrivateKey(text) };
    } catch {
      // Not what the error says: that could quote the key.
      const isLocked = text.includes('ENCRYPTED');
      this.fault(
        'key',
        `expected a private key in PEM${isLocked ? ' without a passphrase' : ''} in ${this.#place(file)}`,
      );
      return undefined;
    }
  }

  #read(name: string, file: string | undefined): string | undefined {
    if (file === undefined) return undefined;
    try {
      return readNamedFile(this.#place(file)).toString();
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      this.fault(name, `${REASONS[code] ?? `cannot be read (${code}):`} ${this.#place(file)}`);
      return undefined;
    }
  }

  #place(file = ''): string {
    return resolve(this.#folder, file);
  }

  /** Says what is wrong with a key of the section, or with all of it. */
  fault(name: string | undefined, message: string): void {
    this.faults.push({ path: name === undefined ? this.#path : [...this.#path, name], message });
  }
}

function nameOf({ subject }: X509Certificate): string {
  return (subject ?? '').split('\n').at(-1) ?? '';
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
