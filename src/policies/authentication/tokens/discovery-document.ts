import { z } from 'zod';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import { jwksFromUrl, type JwksLoader } from './jwks-document.ts';
import { fetchDocument, NotFound, parseJson } from './fetched-document.ts';

const FETCH_TIMEOUT_MS = 5000;
const OPENID = '/.well-known/openid-configuration';
const OAUTH = '/.well-known/oauth-authorization-server';

const metadataDocument = z.looseObject({ issuer: z.string() });

/** What the metadata of an issuer says of where it is asked. */
export interface IssuerMetadata {
  /**
   * Returns the URL that a member names.
   *
   * @throws {PlainFault} where there is none that may be believed.
   */
  url(member: 'jwks_uri' | 'introspection_endpoint'): string;
}

/** Whether an issuer can have metadata: it is a URL without query and fragment (RFC 8414 section 2). */
export function isDiscoverable(issuer: string): boolean {
  const url = URL.parse(issuer);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.search === '' &&
    url.hash === '' &&
    !/[?#]/.test(issuer)
  );
}

/** Where the metadata of an issuer is looked for: by OpenID Connect Discovery 4, then by RFC 8414 section 3.1. */
export function metadataUrls(issuer: string): readonly [openid: string, oauth: string] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [`${origin}${path}${OPENID}`, `${origin}${OAUTH}${path}`];
}

/**
 * Returns a loader that finds the key set of an issuer by its metadata, and reads both each time, so that a key set that moves
 * is followed.
 */
export function jwksFromDiscovery(issuer: string): JwksLoader {
  return async (stopped) => {
    // In all, as for a key set alone.
    const stop = AbortSignal.any([stopped, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
    return jwksFromUrl((await readMetadata(issuer, stop)).url('jwks_uri'))(stop);
  };
}

/**
 * Reads the metadata of an issuer. It has to name the very same issuer (OpenID Connect Discovery 4.3), and where that came by
 * TLS, so do the URLs that it names: otherwise whoever stands in between would speak for it.
 *
 * @throws {PlainFault} for metadata of anybody else, or none.
 */
export async function readMetadata(issuer: string, stop: AbortSignal): Promise<IssuerMetadata> {
  const found = metadataDocument.safeParse(parseJson(await metadataOf(issuer, stop)));
  if (!found.success) throw new PlainFault('the metadata of the issuer names no issuer');
  if (found.data.issuer !== issuer) throw new PlainFault('the metadata is of another issuer');
  return {
    url(member) {
      const named = found.data[member];
      const url = typeof named === 'string' ? URL.parse(named) : null;
      const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && issuer.startsWith('http:'));
      if (url === null || !isSafe)
        throw new PlainFault(`the ${member} of the metadata is no URL that may be believed`);
      return url.href;
    },
  };
}

async function metadataOf(issuer: string, stop: AbortSignal): Promise<string> {
  const [openid, oauth] = metadataUrls(issuer);
  try {
    return await fetchDocument(openid, stop, WORDS);
  } catch (error) {
    if (error instanceof NotFound) return fetchDocument(oauth, stop, WORDS);
    throw error;
  }
}

const WORDS = { what: 'the metadata of the issuer', accept: 'application/json' };
