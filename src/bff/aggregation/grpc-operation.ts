import type { DescMethod, DescMethodUnary, FileRegistry, JsonValue } from '@bufbuild/protobuf';
import { TemplateError } from '../../templates/template-fault.ts';
import type { GrpcOperation } from './aggregate.ts';
import { requiredValue } from './request-target.ts';
import { compileGroup, type MappingDeps } from '../../templates/response-mapping.ts';

/**
 * Finds a unary method.
 *
 * @param name service and method, such as `shop.v1.Orders/GetOrder`.
 * @throws {TemplateError} when the schema has no such method, or it is a stream.
 */
export function findMethod(name: string, registry: FileRegistry): DescMethodUnary {
  const [serviceName = '', methodName = ''] = name.split('/');
  const service = registry.getService(serviceName);
  if (service === undefined) {
    const known = [...registry].flatMap((one) => (one.kind === 'service' ? [one.typeName] : []));
    const about = { given: serviceName, known };
    throw new TemplateError(`there is no service "${serviceName}" in the schema`, about);
  }
  const method = service.methods.find((one) => one.name === methodName);
  if (method === undefined) {
    const about = { given: methodName, known: service.methods.map((one) => one.name) };
    throw new TemplateError(`${serviceName} has no method "${methodName}"`, about);
  }
  if (!isUnary(method)) {
    throw new TemplateError(`expected a unary method; ${methodName} is a stream of messages`);
  }
  return method;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

/** Compiles the message of a call; a value that it names and that is missing fails the call. */
export function compileGrpcOperation(
  method: DescMethodUnary,
  registry: FileRegistry,
  {
    template,
    path,
    deps: parts,
  }: { template: Readonly<Record<string, unknown>>; path: readonly string[]; deps: MappingDeps },
): GrpcOperation {
  const known = method.input.fields.flatMap((field) => [field.jsonName, field.name]);
  for (const given of Object.keys(template)) {
    if (known.includes(given)) continue;
    parts.faults.attempt([...path, given], () => {
      throw new TemplateError(`${method.input.typeName} has no field "${given}"`, { given, known });
    });
  }
  const input = compileGroup(template, path, {
    ...parts,
    read: (source) => (scope) => requiredValue(source, scope),
  });
  // The values are JSON: constants of the file, texts of the request, and parts of JSON answers.
  return { kind: 'grpc', method, registry, input: (scope) => input(scope) as JsonValue };
}
