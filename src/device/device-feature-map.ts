import type { FeatureLayout } from './feature-layout.js';
import type { Tensor } from './memory.js';

/** A feature map on the device. */
export interface DeviceFeatureMap {
  readonly layout: FeatureLayout;
  readonly parameters: Tensor<'f32'>;
  /**
   * Whether it has learned from vectors of length 1: the features of a query are then |x| psi(x /
   * |x|), as its inner products grow with |x|. Default false.
   */
  readonly unit?: boolean | undefined;
}
