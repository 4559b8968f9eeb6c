import type { GatewayModule } from '../config/gateway-module.ts';
import { homepage } from './homepage/homepage.module.ts';
import { notifications } from './notifications/notifications.module.ts';
import { orders } from './orders/orders.module.ts';

/** The modules that a configuration of this bin can name under `modules:`. Add yours here. */
export const modules: readonly GatewayModule[] = [orders, homepage, notifications];
