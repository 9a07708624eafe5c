import { costLimitRule } from "@escape.tech/graphql-armor-cost-limit";
import { maxAliasesRule } from "@escape.tech/graphql-armor-max-aliases";
import { maxDepthRule } from "@escape.tech/graphql-armor-max-depth";
import { maxDirectivesRule } from "@escape.tech/graphql-armor-max-directives";
import { MaxTokensParserWLexer } from "@escape.tech/graphql-armor-max-tokens";
import { type DocumentNode, GraphQLError, type ValidationContext, type ValidationRule } from "graphql";
import type { DocumentConfig } from "../config.ts";

export type DocumentLimits = Pick<
  DocumentConfig,
  "maxLength" | "maxTokens" | "maxDepth" | "maxAliases" | "maxDirectives" | "maxCost" | "maxFirst"
>;

/** Parses a document within the limits of length and tokens. Throws a GraphQLError, of LIMIT_EXCEEDED beyond them. */
export function parseWithinLimits(text: string, { maxLength, maxTokens }: DocumentLimits): DocumentNode {
  if (text.length > maxLength) throw limitExceeded("MAX_DOCUMENT_LENGTH", maxLength, "characters");
  const tooManyTokens = (): never => {
    throw limitExceeded("MAX_TOKENS", maxTokens, "tokens");
  };
  return new MaxTokensParserWLexer(text, { n: maxTokens, onReject: [tooManyTokens] }).parseDocument();
}

/** What bounds a document's shape, whatever the schema. */
export function shapeRules({ maxDepth, maxAliases, maxDirectives }: DocumentLimits): readonly ValidationRule[] {
  return [
    maxDepthRule({ n: maxDepth, ignoreIntrospection: true, ...reporting("MAX_DEPTH", maxDepth, "levels") }),
    maxAliasesRule({ n: maxAliases, ...reporting("MAX_ALIASES", maxAliases, "aliases") }),
    maxDirectivesRule({ n: maxDirectives, ...reporting("MAX_DIRECTIVES", maxDirectives, "directives") }),
  ];
}

/** What bounds an operation's answer, for documents as countedDocument makes them. */
export function costRule({ maxCost }: DocumentLimits): ValidationRule {
  return costLimitRule({
    maxCost,
    // Every field is one value, so that the cost is the number of values in the answer.
    objectCost: 1,
    scalarCost: 1,
    depthCostFactor: 1,
    flattenFragments: true,
    ignoreIntrospection: true,
    ...reporting("MAX_COST", maxCost, "values in its answer"),
  });
}

/** Has a rule report its error as all rules do: thrown, it would end validation, and over WebSocket the socket. */
function reporting(limit: string, allowed: number, unit: string) {
  return {
    propagateOnRejection: false,
    onReject: [
      (context: ValidationContext | null) => {
        context?.reportError(limitExceeded(limit, allowed, unit));
      },
    ],
  };
}

function limitExceeded(limit: string, allowed: number, unit: string): GraphQLError {
  return new GraphQLError(`This document is too large: ${limit} allows ${allowed} ${unit}.`, {
    extensions: { code: "LIMIT_EXCEEDED", limit, allowed },
  });
}
