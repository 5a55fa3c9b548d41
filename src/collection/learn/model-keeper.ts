import { learningDevice } from '../../device/default-device.js';
import type { SearchDevice } from '../../device/device.js';
import { freeSolver } from '../../learn/solver.js';
import { openSolver } from '../files/model-file.js';
import type { Store } from '../files/store.js';
import type { DocumentModel } from './document-model.js';

/** Keeps the present model with its solver, which is large, while documents are added. */
export interface ModelKeeper {
  /**
   * The present model; null where there is none. Rejects with 'not-found' and 'bad-file', and
   * with 'unsupported' where the device does not learn.
   */
  current(): Promise<DocumentModel | null>;
  /** Takes a model that has just become the present one. */
  keep(model: DocumentModel): void;
  /** Frees what is kept. */
  drop(): void;
}

export function createModelKeeper(device: SearchDevice, store: Store): ModelKeeper {
  let kept: { file: string; model: DocumentModel } | null = null;
  const drop = (): void => {
    if (kept) freeSolver(device, kept.model.solver);
    kept = null;
  };
  return {
    drop,
    keep(model) {
      drop();
      const entry = store.snapshot.manifest.model;
      if (entry) kept = { file: entry.file.name, model };
    },
    async current() {
      const { manifest, model } = store.snapshot;
      if (!manifest.model || !model) return null;
      const { file, mean, std, length } = manifest.model;
      if (kept?.file !== file.name) {
        drop();
        const learning = learningDevice(device, 'add');
        const solver = await openSolver(store.storage, learning, manifest.model, model.featureMap);
        kept = { file: file.name, model: { ...model, solver, mean, std, length } };
      }
      return kept.model;
    },
  };
}
