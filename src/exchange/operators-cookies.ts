/** What a session of the operators' listener is called in its cookie: without TLS, and with it. */
export const SESSION_COOKIES = ['gatehouse-admin', '__Host-gatehouse-admin'] as const;
