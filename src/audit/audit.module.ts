import { Global, Module } from '@nestjs/common';
import { AUDIT } from '../config/tokens.ts';
import { AuditInbox } from './audit-inbox.ts';
import { AuditTrail } from './audit-trail.ts';

/** Provides the audit to every room. */
@Global()
@Module({
  providers: [AuditTrail, AuditInbox, { provide: AUDIT, useExisting: AuditTrail }],
  exports: [AuditTrail, AUDIT],
})
export class AuditModule {}
