// What `make check` asks of core/ui's scripts and of their tests. Layout is nobody's business here; faults are.
import js from "@eslint/js";
import globals from "globals";

export default [
  { linterOptions: { reportUnusedDisableDirectives: "error", noInlineConfig: true } },
  js.configs.recommended,
  {
    languageOptions: { globals: globals.browser },
    rules: {
      "array-callback-return": "error",
      "consistent-return": "error",
      "default-case-last": "error",
      eqeqeq: "error",
      "no-await-in-loop": "off", // the drafts' locks are asked for one after the other
      "no-constructor-return": "error",
      "no-duplicate-imports": "error",
      "no-implicit-globals": "error",
      "no-promise-executor-return": "off", // an executor may be one expression
      "no-self-compare": "error",
      "no-shadow": "error",
      "no-template-curly-in-string": "error",
      "no-unassigned-vars": "error",
      "no-unmodified-loop-condition": "error",
      "no-unreachable-loop": "error",
      "no-unused-expressions": "error",
      "no-use-before-define": ["error", { functions: false, classes: false }],
      "no-useless-assignment": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "require-atomic-updates": "error",
      complexity: ["error", 16],
    },
  },
  { files: ["tests/**/*.js"], languageOptions: { globals: globals.node } },
];
