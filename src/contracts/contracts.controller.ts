import { Controller, Get, Headers, Param, Res, type Type } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { sendStatic } from '../exchange/static-answer.ts';
import { Public } from '../policies/authentication/authentication.policy.ts';
import { Authorization } from '../policies/authorization/authorization.policy.ts';
import { policyList } from '../policies/order.ts';
import { Quota } from '../policies/quota/quota.policy.ts';
import { Transform } from '../policies/transform/transform.policy.ts';
import { Problem } from '../problems/problem.ts';
import type { DeclaredPolicies } from '../routing/route.ts';
import { ContractDocument } from './contract-document.ts';
import { docsFiles, docsPage } from './page-assets.ts';

/** Nothing but what this gateway serves, and no script that was put into the page. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/**
 * Makes the controller of `/openapi.json` and `/docs`: a class of its own for each gateway, because its policies
 * are configuration.
 *
 * @param policies in force instead of being open to everybody.
 */
export function contractsController(policies: DeclaredPolicies = {}): Type {
  const isOpen = policies.authentication === undefined || policies.authentication === 'public';
  // What only some may see is not kept where others could find it.
  const cacheControl = isOpen ? 'no-cache' : 'private, no-cache';

  // Open unless the configuration says otherwise: it tells nothing that a client of the routes could not find
  // out, and in production it is not there unless it was asked for.
  @Public()
  @Authorization('off')
  @Quota('off')
  // What a default masks or reshapes is what services answer.
  @Transform('off')
  @Controller()
  class ContractsController {
    constructor(private readonly contract: ContractDocument) {}

    @Get('openapi.json')
    document(@Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): void {
      sendStatic(reply, this.contract.current().answer, known, cacheControl);
    }

    @Get('docs')
    page(@Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): void {
      void reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
      sendStatic(reply, docsPage, known, cacheControl);
    }

    @Get('docs/:file')
    file(
      @Param('file') name: string,
      @Headers('if-none-match') known: string | undefined,
      @Res() reply: FastifyReply,
    ): void {
      const file = docsFiles.get(name);
      if (file === undefined) throw new Problem('resource-not-found');
      sendStatic(reply, file, known, cacheControl);
    }
  }

  declare(ContractsController, policies);
  return ContractsController;
}

function declare(controller: Type, policies: DeclaredPolicies): void {
  for (const { name, metadataKey } of policyList) {
    const options = (policies as Readonly<Record<string, unknown>>)[name];
    if (options !== undefined) Reflect.defineMetadata(metadataKey, options, controller);
  }
}
