/** External entities and their kin: pairs of attack and look-alike, and values that would take long. */
import { testLinear, testVectors } from "./vectors.ts";

testVectors("xxe", 700);
testLinear(
  [
    '<!ENTITY a "',
    "<!ENTITY a '<",
    '<!DOCTYPE a SYSTEM "<',
    "<a:include href=",
    "<xsl:a b=",
    "<image x=",
    '<!ENTITY % a "&b;',
    '<a b:schemaLocation="c ',
  ],
  400,
);
