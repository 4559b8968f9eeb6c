/** What lines of the log can be, from the least important one; `silent` for no lines. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
