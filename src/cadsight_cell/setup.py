from setuptools import find_packages, setup

package_name = "cadsight_cell"

setup(
    name=package_name,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + package_name]),
        ("share/" + package_name, ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="CADsight maintainers",
    maintainer_email="maintainers@cadsight.dev",
    description="The arm, its planning and motion, and a simulated cell that speaks like the real one.",
    license="Apache-2.0",
    extras_require={"test": ["pytest"]},
    entry_points={
        "console_scripts": [
            "hand_eye = cadsight_cell.programs:hand_eye",
            "motion = cadsight_cell.programs:motion",
            "simulated_cell = cadsight_cell.programs:simulated_cell",
        ]
    },
)
