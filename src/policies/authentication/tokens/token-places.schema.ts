import { z } from 'zod';
import { TOKEN } from '../../../config/field-name.ts';
import { pageOrigin, size } from '../../../config/units.ts';
import { dpopSchema } from '../proof-of-possession/dpop.schema.ts';

const KIB = 1024;
/** The longest token, unless somebody asks for longer ones: heads have room for it. */
export const USUAL_TOKEN_BYTES = 8 * KIB;
/** The longest one that can be asked for. */
const MOST_TOKEN_BYTES = 32 * KIB;

const cookie = z.strictObject({
  name: z
    .string()
    .regex(TOKEN, 'expected the name of a cookie')
    .describe('Name of the cookie; `__Host-` in front of it keeps other hosts from setting it.'),
  origins: z
    .array(pageOrigin)
    .min(1)
    .describe(
      'The origins whose pages may change something by the cookie, such as `https://app.example.com`, the own one included: a browser adds a cookie to what any page sends.',
    ),
  forward: z
    .boolean()
    .default(false)
    .describe('Whether services get the cookie too; other cookies always pass. Default false.'),
});

/** `identity.tokens`: where tokens are looked for, and how long they may be. */
export const tokenPlacesSchema = z
  .strictObject({
    header: z.boolean().default(true).describe('`Authorization: Bearer <token>`. Default true.'),
    webSocket: z
      .boolean()
      .default(true)
      .describe('The subprotocol `bearer.<token>` of the handshake of a WebSocket. Default true.'),
    cookie: cookie.optional().describe('A cookie, where there is no such field. Default none.'),
    maxSize: size
      .refine((bytes) => bytes >= KIB && bytes <= MOST_TOKEN_BYTES, 'expected a size between 1KiB and 32KiB')
      .prefault('8KiB')
      .describe(
        'The longest token; longer ones are refused unread. Heads of requests, of 15 KiB otherwise, may be larger by as much as it exceeds 8KiB; changes need a restart. Default 8KiB.',
      ),
    dpop: dpopSchema.default('off'),
    certificateBound: z
      .enum(['verify', 'ignore'])
      .default('verify')
      .describe(
        'Tokens that are bound to a certificate of the client (RFC 8705): `verify` takes them with that certificate only; `ignore` takes them as if they were not bound, so that whoever has stolen one can use it. Default verify.',
      ),
  })
  .superRefine(({ header, webSocket, cookie: given }, context) => {
    if (header || webSocket || given !== undefined) return;
    context.addIssue({
      code: 'custom',
      message: 'expected one of header, webSocket, cookie: nobody could call',
    });
  });

/** The parsed `identity.tokens`. */
export type TokenPlacesOptions = z.output<typeof tokenPlacesSchema>;
