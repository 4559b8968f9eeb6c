import { z } from 'zod';
import { timerDuration } from '../../../config/units.ts';

/** Where the descriptors of a gRPC upstream come from; at most one of them. */
export const descriptorKeys = {
  descriptorSet: z
    .string()
    .min(1)
    .optional()
    .describe('Descriptor set of its services, as `buf build` or `protoc --include_imports` write it.'),
  proto: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Schema of its services: a .proto file or the folder of a module; read by `buf`, which must be installed.',
    ),
  reflection: z
    .union([
      z.literal(true).transform(() => ({ refresh: 60_000 })),
      z.strictObject({
        refresh: timerDuration
          .refine((ms) => ms >= 1000, 'expected at least 1s')
          .default(60_000)
          .describe('How often it is asked again. Default 60s.'),
      }),
    ])
    .optional()
    .describe('Asks the upstream itself for its services, by gRPC server reflection.'),
};

/** The keys of {@link descriptorKeys}. */
export const DESCRIPTOR_KEYS = ['descriptorSet', 'proto', 'reflection'] as const;
