import { type ExecutionArgs, execute, GraphQLError } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { Documents } from "../graphql/documents.ts";

/** Parameters of a GraphQL request beside those of the specification. */
export const EXTRA_PARAMETERS = ["documentId"];

/** Has Yoga find, parse, validate and execute documents as every other transport does. */
export function yogaDocuments(documents: Documents): Plugin {
  const { hideSuggestions } = documents;
  return {
    onParams({ params, setParams }) {
      const { query, ...others } = params ?? {};
      // Whatever else it may be is Yoga's to refuse.
      if (query !== undefined && typeof query !== "string") return;
      const text = documents.textOf({ query, ...others });
      if (text !== "") setParams({ ...params, query: text });
    },
    onParse({ setParseFn }) {
      setParseFn((source) => documents.parse(typeof source === "string" ? source : source.body));
    },
    onValidate({ setValidationFn }) {
      setValidationFn((_schema, document) => documents.validate(document).map(ownCopy));
    },
    onExecute({ setExecuteFn }) {
      // Yoga's own executor suggests values of enums whatever it is told.
      setExecuteFn((args: ExecutionArgs) => execute({ ...args, hideSuggestions }));
    },
    onSubscribe({ args }) {
      Object.assign(args, { hideSuggestions });
    },
  };
}

/** Yoga writes into the errors that it answers with; those of a remembered document are for all transports. */
function ownCopy({ message, nodes, extensions }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { nodes: nodes ?? null, extensions: { ...extensions } });
}
