import type { GatewayModule } from 'gatehouse';
import { products } from './products/products.module.ts';

/** What `modules:` of gateway.yaml can name. */
export const modules: readonly GatewayModule[] = [products];
