/** An answer of the GraphQL door. */
export interface GraphqlAnswerRead {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly data?: Record<string, unknown> | null;
    readonly errors?: readonly { message: string; path?: unknown; extensions?: Record<string, unknown> }[];
    readonly extensions?: Record<string, unknown>;
    readonly code?: string;
  };
}

/** Sends a body to the GraphQL door. */
export async function postTo(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<GraphqlAnswerRead> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
  return read(await fetch(`${url}/graphql`, { ...init, body: JSON.stringify(body) }));
}

/** Asks the GraphQL door by GET; values that are objects are sent as JSON. */
export async function getFrom(
  url: string,
  params: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<GraphqlAnswerRead> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  return read(await fetch(`${url}/graphql?${query.toString()}`, { headers }));
}

async function read(response: Response): Promise<GraphqlAnswerRead> {
  const body = (await response.json()) as GraphqlAnswerRead['body'];
  return { status: response.status, headers: response.headers, body };
}
