// Made from rules/*.yaml by scripts/generate. DO NOT EDIT.
// The kinds of 5 alphabets.

import { CMDI_TABLE } from "./cmdi";
import { EXPRESSION_TABLE } from "./expression";
import { SQLI_TABLE } from "./sqli";
import { TRAVERSAL_TABLE } from "./traversal";
import { XSS_TABLE } from "./xss";

/** The class whose rules a table holds. */
export function tableName(table: usize): string {
  if (table == CMDI_TABLE) return "cmdi";
  if (table == EXPRESSION_TABLE) return "expression";
  if (table == SQLI_TABLE) return "sqli";
  if (table == TRAVERSAL_TABLE) return "traversal";
  if (table == XSS_TABLE) return "xss";
  return "";
}

/** The kinds of a table's tokens by rising code from 1, a space behind each. */
export function tokenKinds(table: usize): string {
  if (table == CMDI_TABLE) return "Semicolon Newline Pipe And Or Amp Open Tick Code Nested Close Brace Paren Redirect Comment Quote Function Ifs Disguise Finish Prefix PrefixOption Probe Short List Reader Plain Net Runner Script Wait Print Change Admin Cmdlet Hidden Call Info Flag RiskyFlag Verb Path Secret Drive Device Program Url Dotted Here Number Variable String Assign Word ";
  if (table == EXPRESSION_TABLE) return "Start Braces Dollar Mark Tag Statement Round Wiki Single Directive Php Close Finish Number String DeepString DangerString ConstructorString ModuleString ClassString PathString Shell Name Danger Exec Runner Reader Constructor Server Scope Detail Environ Items Host Java Filter Attr TypeOf Require Secret Debug With As Format ClassWord Process Declare New Import Print PhpWord Function Dunder Deep Info Reflect Superglobal Lodash Digest Smarty Builtin Keyword Setting Dot ParenOpen ParenClose BracketOpen BracketClose BraceOpen BraceClose Comma Colon Question Pipe Assign Star Arith Compare Semicolon At Pound Junk ";
  if (table == SQLI_TABLE) return "Number String Text Tail Stray Null Variable System Name Prose Comment Remark Junk Break ParenOpen ParenClose Comma Dot Semicolon Star Plus Minus Arith Tilde Compare Pipes Logic Not Test Union All Top Select From Where Order By Having Limit Into Outfile Procedure For As On Join Case When Stop Values Set Ascending Insert Update Delete Drop Create Execute Declare Waitfor Delay Shutdown If Begin While Table Admin Sleep Timed Error File Info Function Schema Command SleepOut ErrorOut FunctionOut InfoOut CaseOut Same Is In Between Column Mode ";
  if (table == TRAVERSAL_TABLE) return "Root Drive Unc Url Wrapper FileScheme Archive DataScheme Up Nul Finish Name Etc Account Var Log Spool Proc Self Superuser Home Usr Local Opt Private Library Server Secret Dotfile Setting Windows WindowsFile Share WebInf Repository RepositoryFile Configuration Asset Filter Script Binary Executable ";
  if (table == XSS_TABLE) return "Break Bare Script Hole Number String Regex Template Tagged Name Cookie Popup Print Sink Global This Constructor Event Literal Unary Declare Control Function In Import ParenOpen CallOpen ParenClose ArrayOpen Index BracketClose BraceOpen BraceClose Dot Comma Semicolon Newline Question Colon Assign Arrow Spread Plus Minus Not Increment Binary LineComment Tail Payload Junk ";
  return "";
}
