import { apiKeyScheme } from './api-keys/api-key.scheme.ts';
import { introspectionScheme } from './introspection/introspection.scheme.ts';
import { mtlsScheme } from './client-certificates/mtls.scheme.ts';
import { sessionScheme } from './login/session.scheme.ts';
import type { Scheme } from './scheme.ts';
import { jwtScheme } from './tokens/jwt.scheme.ts';

/** Every kind of credential that this version checks; a new one is a folder and a line here. */
export const SCHEMES: readonly Scheme[] = [
  jwtScheme,
  introspectionScheme,
  apiKeyScheme,
  mtlsScheme,
  sessionScheme,
];
