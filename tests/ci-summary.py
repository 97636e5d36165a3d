"""Adds up the test reports of a folder and says so in one line; exits with 1 where a test failed or none ran."""
import glob
import sys
import xml.etree.ElementTree as xml

total = failed = skipped = 0
for report in glob.glob(sys.argv[1] + "/TEST-*.xml"):
    suite = xml.parse(report).getroot()
    total += int(suite.get("tests"))
    failed += int(suite.get("failures")) + int(suite.get("errors"))
    skipped += int(suite.get("skipped"))
print(f"{total - failed - skipped} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or total == skipped else 0)
