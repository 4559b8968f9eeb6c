import { fromBinary, toJson, type DescField, type DescMessage, type JsonValue } from '@bufbuild/protobuf';
import { create, type Registry } from '@bufbuild/protobuf';
import { fieldNamed, hasJsonOfItsOwn } from '../upstreams/grpc/field-path.ts';
import { isJsonObject } from './json-place.ts';
import { shortestFloats } from './shortest-floats.ts';

/** The type whose messages are bodies of any media type (google/api/httpbody.proto). */
export const HTTP_BODY = 'google.api.HttpBody';

/** An answer that is no JSON but the bytes of a `google.api.HttpBody`. */
export interface RawBody {
  readonly contentType: string;
  readonly data: Buffer;
}

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[ -~]*)?$/;

/** Makes JSON of the messages that a method answers. */
export class AnswerPlan {
  readonly #message: DescMessage;
  readonly #field: DescField | undefined;
  readonly #options: { readonly registry: Registry; readonly alwaysEmitImplicit: boolean };
  readonly #shorten: ((json: JsonValue) => JsonValue) | undefined;
  /** What stands for the field when it is not set. */
  readonly #absent: JsonValue;

  /** @throws {Error} when there is no such field. */
  constructor(
    message: DescMessage,
    responseBody: string,
    options: { readonly registry: Registry; readonly emitDefaults: boolean },
  ) {
    this.#message = message;
    this.#field = responseBody === '' ? undefined : fieldNamed(message, responseBody);
    if (responseBody !== '' && (this.#field === undefined || hasJsonOfItsOwn(message))) {
      throw new Error(`response_body: ${message.typeName} has no field "${responseBody}"`);
    }
    this.#options = { registry: options.registry, alwaysEmitImplicit: options.emitDefaults };
    this.#shorten = shortestFloats(message, options.registry);
    const empty = toJson(message, create(message), { alwaysEmitImplicit: true });
    this.#absent = this.#field === undefined ? null : pick(empty, this.#field, null);
  }

  /** Whether answers are bodies of any media type. */
  get isRaw(): boolean {
    return (
      (this.#field?.message ?? this.#message).typeName === HTTP_BODY && this.#field?.fieldKind !== 'list'
    );
  }

  /** The field that is answered in place of the whole message, by its name in JSON; undefined for the whole. */
  get fieldName(): string | undefined {
    return this.#field?.jsonName;
  }

  /** The type of what is answered, or of its items. */
  get answers(): DescMessage | DescField {
    return this.#field ?? this.#message;
  }

  /** @throws {Error} when the bytes are not the message, or hold an `Any` of an unknown type. */
  toJson(bytes: Uint8Array): JsonValue {
    const full = toJson(this.#message, fromBinary(this.#message, bytes), this.#options) as JsonValue;
    const json = this.#shorten === undefined ? full : this.#shorten(full);
    return this.#field === undefined ? json : pick(json, this.#field, this.#absent);
  }

  /** @throws {Error} when the bytes are not the message. */
  toRaw(bytes: Uint8Array): RawBody {
    const json = this.toJson(bytes);
    const { contentType, data } = (isJsonObject(json) ? json : {}) as { contentType?: string; data?: string };
    const isSafe = contentType !== undefined && MEDIA_TYPE.test(contentType);
    return {
      contentType: isSafe ? contentType : 'application/octet-stream',
      data: Buffer.from(data ?? '', 'base64'),
    };
  }
}

function pick(json: JsonValue, field: DescField, absent: JsonValue): JsonValue {
  return isJsonObject(json) && Object.hasOwn(json, field.jsonName)
    ? (json[field.jsonName] as JsonValue)
    : absent;
}
