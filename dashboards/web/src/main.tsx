// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";

render(<main>Invigil</main>, document.getElementById("page")!);
