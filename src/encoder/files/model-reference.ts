/**
 * Where a model's files come from: an npm package, the hub (`revision` where it is not `main`), or
 * a folder, of which this is the last part of its path: the path is kept on the machine alone.
 */
export type ModelReference =
  | {
      /** Name of the npm package. */
      readonly package: string;
      /** Of the package. */
      readonly version: string;
    }
  | {
      /** Its id there, such as `organisation/model`. */
      readonly hub: string;
      /** A branch, a tag or a commit. */
      readonly revision?: string | undefined;
    }
  | {
      /** Last part of the folder's path. */
      readonly folder: string;
    };

/** In words, for messages. */
export function showModel(model: ModelReference): string {
  if ('package' in model) return `${model.package}@${model.version}`;
  if ('folder' in model) return `a folder ${model.folder}`;
  return model.revision === undefined ? model.hub : `${model.hub} at ${model.revision}`;
}
