import type { IncomingMessage, ServerResponse } from 'node:http';
import { announcesBody } from '../problems/render-problem.ts';

/**
 * Says `100 Continue` to a client that waits for it before it sends its body (RFC 9110 section 10.1.1): right before
 * somebody reads the body, whoever that is, and so after everything that may refuse the request by its head. Who is refused
 * hears the refusal and nothing else, and his body stays where it is. The hook is on the one request; others have none.
 */
export function continueOnRead(request: IncomingMessage, response: ServerResponse): void {
  if (!announcesBody(request)) return;
  request._read = (size) => {
    Reflect.deleteProperty(request, '_read');
    if (isAwaited(request, response)) response.writeContinue();
    request._read(size);
  };
}

// What has begun to come does not wait, and after the answer nobody wants it: it is read then to be dropped.
function isAwaited(request: IncomingMessage, response: ServerResponse): boolean {
  return !request.complete && request.readableLength === 0 && !response.headersSent && !response.destroyed;
}
