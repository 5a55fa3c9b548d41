import { bestMaxSim, bestMaxSimSubset } from './best-max-sim.js';
import { encodeRows, scanPrefix } from './code-rows.js';
import { documentWeights } from './document-weights.js';
import { packFeatures } from './feature-codes.js';
import { features, queryFeatures, tokenFeatures, tokenProducts } from './features.js';
import { innerProducts } from './inner-products.js';
import { cholesky, gram } from './least-squares.js';
import { loss } from './loss.js';
import { maxSim, maxSimSubset, topInnerProducts } from './max-sim.js';
import { projectQueries } from './project-queries.js';
import { raiseFloors } from './raise-floors.js';
import { chooseRows, scoreRows, selectScored } from './rescore.js';
import { solveRows } from './solve-rows.js';
import { targets } from './targets.js';
import { trainGradients } from './train-gradients.js';
import { packWeights } from './train-products.js';
import { trainRows } from './train-rows.js';
import { trainUpdate } from './train-update.js';

/** All that a worker can do, by name. */
export const operations: {
  features: typeof features;
  queryFeatures: typeof queryFeatures;
  tokenProducts: typeof tokenProducts;
  tokenFeatures: typeof tokenFeatures;
  projectQueries: typeof projectQueries;
  targets: typeof targets;
  packWeights: typeof packWeights;
  trainRows: typeof trainRows;
  trainGradients: typeof trainGradients;
  trainUpdate: typeof trainUpdate;
  loss: typeof loss;
  gram: typeof gram;
  cholesky: typeof cholesky;
  solveRows: typeof solveRows;
  packFeatures: typeof packFeatures;
  documentWeights: typeof documentWeights;
  topInnerProducts: typeof topInnerProducts;
  innerProducts: typeof innerProducts;
  encodeRows: typeof encodeRows;
  scanPrefix: typeof scanPrefix;
  raiseFloors: typeof raiseFloors;
  chooseRows: typeof chooseRows;
  scoreRows: typeof scoreRows;
  selectScored: typeof selectScored;
  maxSim: typeof maxSim;
  maxSimSubset: typeof maxSimSubset;
  bestMaxSim: typeof bestMaxSim;
  bestMaxSimSubset: typeof bestMaxSimSubset;
} = {
  features,
  queryFeatures,
  tokenProducts,
  tokenFeatures,
  projectQueries,
  targets,
  packWeights,
  trainRows,
  trainGradients,
  trainUpdate,
  loss,
  gram,
  cholesky,
  solveRows,
  packFeatures,
  documentWeights,
  topInnerProducts,
  innerProducts,
  encodeRows,
  scanPrefix,
  raiseFloors,
  chooseRows,
  scoreRows,
  selectScored,
  maxSim,
  maxSimSubset,
  bestMaxSim,
  bestMaxSimSubset,
};

export type OperationName = keyof typeof operations;
export type OperationArgs<N extends OperationName> = Parameters<
  (typeof operations)[N]['blocks']
>[0];
