import { z } from 'zod';

/** The name of an environment variable that holds a secret. */
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable, not the secret itself');
