"""Labels of many images, asked for by a cluster of Apache Spark.

spark-submit --files docker-registry spark.py IMAGES ANSWERS UNANSWERED [PARTITIONS]

IMAGES has an image on a line. ANSWERS gets a line for each that was found, UNANSWERED the images that have none.
"""

import json
import sys

from pyspark import SparkContext

# Images that are not there (3) or not for everybody (4) are no reason to ask for the others again. Whatever else
# fails is one: then Spark runs the task anew, on another machine if need be.
ASK = "sh -c './docker-registry labels --no-cache -j 8 --images - || case $? in 3 | 4) ;; *) exit 1 ;; esac'"

images, answers, unanswered = sys.argv[1:4]
partitions = int(sys.argv[4]) if sys.argv[4:] else None

with SparkContext(appName="docker-registry") as context:
    asked = context.textFile(images, partitions)
    asked.pipe(ASK, checkCode=True).saveAsTextFile(answers)
    # From the file: what is computed again is asked for again.
    answered = context.textFile(answers).map(lambda line: json.loads(line)["image"])
    asked.subtract(answered, partitions).saveAsTextFile(unanswered)
