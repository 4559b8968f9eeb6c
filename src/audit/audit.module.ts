import { Global, Module } from '@nestjs/common';
import { AUDIT } from '../config/tokens.ts';
import { AuditTrail } from './audit-trail.ts';

/** Provides the audit to every room. */
@Global()
@Module({
  providers: [AuditTrail, { provide: AUDIT, useExisting: AuditTrail }],
  exports: [AuditTrail, AUDIT],
})
export class AuditModule {}
